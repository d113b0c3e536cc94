use lanes::Lane;
use rand_chacha::ChaCha8Rng;
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropout {
    pub(crate) p: f64,
    pub(crate) n_masks: usize,
    pub(crate) plane: usize,
}
impl Dropout {
    pub(crate) fn draw<V: Lane>(self, _s: &mut [ChaCha8Rng], _m: &mut [V]) {
        todo!()
    }
    pub(crate) fn forward<V: Lane>(self, _x: &[V], _m: &[V], _y: &mut [V]) {
        todo!()
    }
    pub(crate) fn backward<V: Lane>(self, _m: &[V], _dy: &[V], _dx: &mut [V]) {
        todo!()
    }
}
