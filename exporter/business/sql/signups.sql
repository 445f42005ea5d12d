-- # A label is a short text without @: what is longer, an address, no text at all or in an unreadable event is `other`.
-- metric: chatterfy_signups_total
-- kind: counter
-- help: Users who signed up, by where they came from; read every 15 seconds.
-- reads: [business_event]
-- labels: [source]
-- time: business_event.created_at
-- cap: 30
-- fill: {source: [direct, other]}
SELECT
    coalesce(
        jsonb_path_query_first(
            data, 'strict $.source ? (@ like_regex "^[^@[:cntrl:]]{1,64}$")', silent => true
        ) #>> '{}',
        'other'
    ) AS source,
    count(*) AS value
FROM business_event
WHERE event_type = 'user_signup'
GROUP BY 1
