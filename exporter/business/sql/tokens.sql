-- # The application fills the tokens in while the answer streams: a row's number is final after 10 minutes.
-- metric: chatterfy_tokens_total
-- kind: counter
-- help: Tokens of messages by provider and model; read every 15 seconds.
-- reads: [message]
-- labels: [provider, model]
-- time: message.created_at
-- settle: 10m
-- cap: 100
SELECT provider, model, sum(tokens) AS value FROM message GROUP BY 1, 2
