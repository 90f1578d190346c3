"""Papers: what people file about an order (adjustments, returns): numbers, states, logs, long lists."""
