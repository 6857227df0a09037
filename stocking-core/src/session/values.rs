//! What an application knows of a session: values, found by their types.

use std::{
    any::{Any, TypeId},
    fmt,
    sync::Arc,
};

use hashbrown::HashMap;

/// Values, one of each type.
#[derive(Default)]
pub(crate) struct Values(Option<Box<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl Values {
    /// Returns what was there before, to be dropped outside of every lock: a destructor may look into the session.
    #[must_use]
    pub(crate) fn insert<T: Send + Sync + 'static>(
        &mut self,
        value: T,
    ) -> Option<Arc<dyn Any + Send + Sync>> {
        self.0.get_or_insert_default().insert(TypeId::of::<T>(), Arc::new(value))
    }

    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.as_ref()?.get(&TypeId::of::<T>())?.clone().downcast().ok()
    }

    /// Takes over all of `others`. Returns what was there before, as [`insert`](Self::insert) does.
    #[must_use]
    pub(crate) fn update(&mut self, others: Self) -> Vec<Arc<dyn Any + Send + Sync>> {
        let Some(others) = others.0 else { return Vec::new() };
        let values = self.0.get_or_insert_default();
        others.into_iter().filter_map(|(kind, value)| values.insert(kind, value)).collect()
    }

    pub(crate) fn remove<T: Send + Sync + 'static>(&mut self) -> Option<Arc<T>> {
        self.0.as_mut()?.remove(&TypeId::of::<T>())?.downcast().ok()
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Values").field(&self.0.as_ref().map_or(0, |values| values.len())).finish()
    }
}
