-- metric: chatterfy_messages_total
-- kind: counter
-- help: Messages by provider and model; read every 15 seconds.
-- reads: [message]
-- labels: [provider, model]
-- time: message.created_at
-- cap: 100
SELECT provider, model, count(*) AS value FROM message GROUP BY 1, 2
