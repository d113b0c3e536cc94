//! A study: asks a sampler, tells the store, and keeps count. Where samplers meet the store.
