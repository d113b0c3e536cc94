use crate::gradient::Sum;
use lanes::Lane;
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelAffine {
    pub(crate) channels: usize,
    pub(crate) plane: usize,
}
impl ChannelAffine {
    pub(crate) fn forward<V: Lane>(self, _x: &[V], _w: &[V::Scalar], _b: &[V::Scalar], _y: &mut [V]) {
        todo!()
    }
    pub(crate) fn backward_input<V: Lane>(self, _w: &[V::Scalar], _x: &[V], _y: &mut [V]) {
        todo!()
    }
    pub(crate) fn backward_params<V: Lane>(
        self,
        _x: &[V],
        _dy: &[V],
        _dw: &mut [V::Scalar],
        _db: &mut [V::Scalar],
        _s: Sum,
    ) {
        todo!()
    }
}
