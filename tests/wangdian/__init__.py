"""wangdian: both ends of document 004."""
