-- # A label is a short text without @: what is longer, an address, no text at all or in an unreadable event is `other`.
-- metric: chatterfy_subscriptions_cancelled_total
-- kind: counter
-- help: Subscriptions cancelled, by the reason given; read every 15 seconds.
-- reads: [business_event]
-- labels: [reason]
-- time: business_event.created_at
-- cap: 30
-- fill: {reason: [other]}
SELECT
    coalesce(
        jsonb_path_query_first(
            data, 'strict $.reason ? (@ like_regex "^[^@[:cntrl:]]{1,64}$")', silent => true
        ) #>> '{}',
        'other'
    ) AS reason,
    count(*) AS value
FROM business_event
WHERE event_type = 'subscription_cancelled'
GROUP BY 1
