"""Events of registered types, built and checked; the arguments of `emit`, coerced."""
