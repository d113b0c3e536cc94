use lanes::Lane;
pub(crate) fn forward<V: Lane>(_a: &[V], _b: &[V], _y: &mut [V]) {
    todo!()
}
pub(crate) fn forward_broadcast<V: Lane>(_p: usize, _a: &[V], _b: &[V], _y: &mut [V]) {
    todo!()
}
pub(crate) fn backward<V: Lane>(_a: &[V], _b: &[V], _y: &mut [V]) {
    todo!()
}
pub(crate) fn backward_broadcast_map<V: Lane>(_p: usize, _a: &[V], _b: &[V], _y: &mut [V]) {
    todo!()
}
pub(crate) fn backward_broadcast_channel<V: Lane>(_p: usize, _a: &[V], _b: &[V], _y: &mut [V]) {
    todo!()
}
