-- What the other steps read: the hours to fill, and the catalogue, each choice repeated by its weight over 100 slots.
CREATE TEMP TABLE hour (start timestamp, busy float8, days_ago float8) ON COMMIT DROP;
CREATE TEMP TABLE source_pick (slot int, source text) ON COMMIT DROP;
CREATE TEMP TABLE reason_pick (slot int, reason text) ON COMMIT DROP;
CREATE TEMP TABLE file_pick (slot int, file_type text) ON COMMIT DROP;
CREATE TEMP TABLE plan_pick (slot int, plan text, amount int) ON COMMIT DROP;
CREATE TEMP TABLE model_pick (slot int, provider text, model text, usd_per_million numeric) ON COMMIT DROP;
CREATE TEMP TABLE endpoint_pick (slot int, method text, path text, success int, median_ms float8) ON COMMIT DROP;

-- Ids that look like Prisma's, and are the same in every demo.
CREATE OR REPLACE FUNCTION pg_temp.cuid(kind text, n bigint) RETURNS text STABLE LANGUAGE sql
RETURN 'c' || substr(md5(kind || n), 1, 24);
