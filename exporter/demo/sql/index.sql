-- Prisma's schema has no index on the request log's time; a table that grows by every request needs one.
CREATE INDEX "Metric_timestamp_idx" ON "Metric"("timestamp");

-- By day the cost of usage is closed.
CREATE INDEX "Usage_day_idx" ON "Usage" ("day");
