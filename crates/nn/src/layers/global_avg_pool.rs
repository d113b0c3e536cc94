use lanes::Lane;
pub(crate) fn forward<V: Lane>(_plane: usize, _x: &[V], _y: &mut [V]) {
    todo!()
}
pub(crate) fn backward<V: Lane>(_plane: usize, _x: &[V], _y: &mut [V]) {
    todo!()
}
