//! A space as a sequence of decisions, some of which are of one kind.

use spec::{Domain, ParamValue};

use crate::{Dimension, Role, Space};

/// A space all of whose dimensions are categorical, and which of them are of one kind.
pub(crate) struct Decisions {
    space: Space,
    /// By dimension.
    kinds: Vec<usize>,
    /// By kind.
    names: Vec<String>,
    /// A mask beside the space's.
    #[cfg(test)]
    pub(super) mask: Option<Mask>,
}

/// As [`Space::allowed`].
#[cfg(test)]
pub(super) type Mask = fn(usize, &[Option<ParamValue>]) -> Option<Vec<bool>>;

impl Decisions {
    /// Of a space that [`super::check`] lets pass.
    pub(crate) fn new(space: &Space) -> Self {
        let mut decisions = Self {
            space: space.clone(),
            kinds: Vec::new(),
            names: Vec::new(),
            #[cfg(test)]
            mask: None,
        };
        for (idx, dimension) in space.dimensions().iter().enumerate() {
            let earlier = space.dimensions()[..idx].iter().position(|other| is_same_kind(other, dimension));
            let kind = match earlier {
                Some(earlier) => decisions.kinds[earlier],
                None => decisions.add_kind(dimension),
            };
            decisions.kinds.push(kind);
        }
        decisions
    }

    fn add_kind(&mut self, dimension: &Dimension) -> usize {
        let name = match &dimension.role {
            Role::Layer { kind, .. } => kind.as_str(),
            Role::Skip { .. } if skip(dimension).is_some() => "skips",
            _ => &dimension.name,
        };
        let is_free = self.names.iter().all(|other| other != name);
        self.names.push(if is_free { name } else { &dimension.name }.to_owned());
        self.names.len() - 1
    }

    pub(crate) fn space(&self) -> &Space {
        &self.space
    }

    /// How many dimensions there are.
    pub(crate) fn len(&self) -> usize {
        self.space.len()
    }

    /// The kind of a dimension.
    pub(crate) fn kind(&self, dim: usize) -> usize {
        self.kinds[dim]
    }

    /// The names of the kinds.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn n_categories(&self, dim: usize) -> usize {
        match &self.space.dimensions()[dim].domain {
            Domain::Categorical(all) => all.len(),
            Domain::Float(_) | Domain::Int(_) => unreachable!("all dimensions are categorical"),
        }
    }

    /// As [`Space::allowed`].
    pub(super) fn allowed(&self, dim: usize, prefix: &[Option<ParamValue>]) -> Option<Vec<bool>> {
        #[cfg(test)]
        if let Some(mask) = self.mask {
            return mask(dim, prefix);
        }
        self.space.allowed(dim, prefix)
    }

    /// Which layer a dimension lets read which earlier one, if that is what it decides.
    pub(crate) fn skip(&self, dim: usize) -> Option<(usize, usize)> {
        skip(&self.space.dimensions()[dim])
    }

    /// The layer that a dimension decides of.
    pub(crate) fn layer(&self, dim: usize) -> Option<usize> {
        match self.space.dimensions()[dim].role {
            Role::Layer { layer, .. } | Role::Skip { layer, .. } => Some(layer),
            Role::Single | Role::Depth => None,
        }
    }

    /// Whether a dimension says how many layers there are.
    pub(crate) fn is_depth(&self, dim: usize) -> bool {
        self.space.dimensions()[dim].role == Role::Depth
    }
}

fn skip(dimension: &Dimension) -> Option<(usize, usize)> {
    match (&dimension.role, &dimension.domain) {
        (&Role::Skip { layer, from }, Domain::Categorical(all)) if from < layer && all.len() == 2 => {
            Some((layer, from))
        }
        _ => None,
    }
}

fn is_same_kind(a: &Dimension, b: &Dimension) -> bool {
    match (&a.role, &b.role) {
        (Role::Layer { kind, .. }, Role::Layer { kind: other, .. }) => kind == other && a.domain == b.domain,
        (Role::Skip { .. }, Role::Skip { .. }) => skip(a).is_some() && skip(b).is_some(),
        _ => false,
    }
}

/// The category that a value of such a space is.
pub(super) fn category(value: Option<ParamValue>) -> Option<usize> {
    match value {
        Some(ParamValue::Category(category)) => Some(category),
        _ => None,
    }
}
