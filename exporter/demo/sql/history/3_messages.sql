-- messages
SELECT setseed(0.3);

CREATE TEMP TABLE sent ON COMMIT DROP AS
SELECT drawn.n, drawn.at, person.id AS user_id, person.org_id, provider, model, tokens, usd_per_million
FROM (
    SELECT
        row_number() OVER () AS n,
        (start + random() * interval '1 hour')::timestamp(3) AS at,
        1 + floor(random() * users) AS person,
        floor(random() * 100) AS slot,
        20 + floor(exp(random_normal(6, 0.8)))::int AS tokens
    FROM busy_hour CROSS JOIN LATERAL generate_series(1, floor(120 * busy + random())::int)
) AS drawn
JOIN person ON person.n = drawn.person
JOIN model_pick USING (slot);
ANALYZE sent;

INSERT INTO "Message" (id, "userId", content, provider, model, tokens, "createdAt")
SELECT pg_temp.cuid('message', n), user_id, 'What does my plan include?', provider, model, tokens, at FROM sent;

INSERT INTO "BusinessEvent" (id, "eventType", data, timestamp)
SELECT
    pg_temp.cuid('chat_message', n),
    'chat_message',
    json_build_object('orgId', org_id, 'provider', provider, 'model', model, 'tokens', tokens),
    at
FROM sent;

INSERT INTO "Usage" (id, "orgId", day, provider, model, tokens, cost_usd)
SELECT
    pg_temp.cuid('usage', row_number() OVER ()),
    org_id,
    at::date,
    provider,
    model,
    sum(tokens),
    sum(round(tokens * usd_per_million / 1000000, 6))
FROM sent GROUP BY org_id, at::date, provider, model;
