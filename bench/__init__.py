"""The benchmarks: what ours costs beside a known thing, measured side by side in one run."""
