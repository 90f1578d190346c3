"""Needs attention (异常处理): everything that did not get through, in one queue with age and owner."""
