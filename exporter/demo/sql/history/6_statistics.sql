-- statistics
ANALYZE;
