//! Shapes and text in the units of a drawing.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::canvas::{Area, Drawn, Scale};

/// On which side of its point a text stands.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Left,
    Right,
    Middle,
    /// Read upward, in the middle.
    Upward,
    /// Read upward, ending at the point.
    Below,
}

/// Draws in units.
pub(crate) struct Pen<'a, DB: DrawingBackend> {
    pub(crate) area: &'a Area<DB>,
    pub(crate) scale: Scale,
}

impl<DB: DrawingBackend> Pen<'_, DB> {
    fn at(&self, (x, y): (i32, i32)) -> (i32, i32) {
        (self.scale.px(x), self.scale.px(y))
    }

    pub(crate) fn rectangle(&self, from: (i32, i32), to: (i32, i32), style: ShapeStyle) -> Drawn<DB> {
        self.area.draw(&Rectangle::new([self.at(from), self.at(to)], style))
    }

    pub(crate) fn path<const N: usize>(&self, points: [(i32, i32); N], style: ShapeStyle) -> Drawn<DB> {
        self.area.draw(&PathElement::new(points.map(|point| self.at(point)), style))
    }

    pub(crate) fn text(
        &self,
        text: &str,
        at: (i32, i32),
        size: u32,
        color: RGBColor,
        place: Place,
    ) -> Drawn<DB> {
        let (h, turn) = match place {
            Place::Left => (HPos::Right, FontTransform::None),
            Place::Right => (HPos::Left, FontTransform::None),
            Place::Middle => (HPos::Center, FontTransform::None),
            Place::Upward => (HPos::Center, FontTransform::Rotate270),
            Place::Below => (HPos::Right, FontTransform::Rotate270),
        };
        // The library sets letters by their ascent and descent, so that small ones and digits stand too high.
        let lower = (self.scale.px(size as i32)) / 10;
        let is_turned = matches!(place, Place::Upward | Place::Below);
        let (x, y) = self.at(at);
        let at = if is_turned { (x + lower, y) } else { (x, y + lower) };
        let style = self.scale.font(size).color(&color).transform(turn).pos(Pos::new(h, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), at, style))
    }
}
