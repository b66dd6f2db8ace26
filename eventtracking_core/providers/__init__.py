"""The built-in context providers: values that lie under the stack of every event."""
