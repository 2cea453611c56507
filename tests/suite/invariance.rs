//! Moves leave the target distribution as it is; results do not depend on threads, batches or order.
