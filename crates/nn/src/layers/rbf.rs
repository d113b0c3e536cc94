use lanes::Lane;
#[derive(Clone, Debug)]
pub(crate) struct Rbf {
    pub(crate) codes: Vec<f64>,
    pub(crate) n_inputs: usize,
}
impl Rbf {
    pub(crate) fn forward<V: Lane>(&self, _x: &[V], _y: &mut [V]) {
        todo!()
    }
    pub(crate) fn backward<V: Lane>(&self, _x: &[V], _dy: &[V], _dx: &mut [V]) {
        todo!()
    }
}
