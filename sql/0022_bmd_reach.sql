-- 0022_bmd_reach.sql - who was told of an alert, by what way; how many texts a person gets.
-- SPDX-License-Identifier: GPL-2.0-or-later

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE VIEW bmd_alert_delivery AS
    SELECT alert_id, username, way, min(sent_at) AS first_sent_at, max(sent_at) AS last_sent_at,
           min(answered_at) FILTER (WHERE code BETWEEN 200 AND 299) AS delivered_at,
           count(DISTINCT terminal) FILTER (WHERE terminal <> '') AS terminals, count(*) AS attempts,
           (array_agg(code ORDER BY answered_at DESC, sent_at DESC))[1] AS last_code
    FROM bmd_delivery GROUP BY alert_id, username, way;
COMMENT ON VIEW bmd_alert_delivery IS 'By alert, technician and way: when it was sent, when a terminal first took it, how often it was tried';
COMMENT ON COLUMN bmd_alert_delivery.alert_id IS 'bmd_alert.alert_id';
COMMENT ON COLUMN bmd_alert_delivery.username IS 'Technician';
COMMENT ON COLUMN bmd_alert_delivery.way IS 'subscription, message or call';
COMMENT ON COLUMN bmd_alert_delivery.first_sent_at IS 'First attempt';
COMMENT ON COLUMN bmd_alert_delivery.last_sent_at IS 'Last attempt';
COMMENT ON COLUMN bmd_alert_delivery.delivered_at IS 'First time a terminal answered with 2xx; NULL: none has';
COMMENT ON COLUMN bmd_alert_delivery.terminals IS 'Different addresses it was sent to';
COMMENT ON COLUMN bmd_alert_delivery.attempts IS 'How often it was tried';
COMMENT ON COLUMN bmd_alert_delivery.last_code IS 'Outcome of the last attempt, as in bmd_delivery';

COMMENT ON COLUMN bmd_delivery.way IS 'subscription: by NOTIFY; message: by a text in a MESSAGE; call';
COMMENT ON COLUMN bmd_delivery.terminal IS 'Address the message was sent to; empty when it could not be sent, or no terminal was registered';
COMMENT ON COLUMN bmd_delivery.code IS 'Final SIP status; 408 when the terminal did not answer, 480 when none was registered, 999 when the message could not be sent at all (of message and call also: no way to send them is configured)';

DO $$
DECLARE
    known text := (SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint
                   WHERE conname = 'bmd_setting_name_is_known' AND conrelid = 'bmd_setting'::regclass);
BEGIN
    ALTER TABLE bmd_setting DROP CONSTRAINT bmd_setting_name_is_known;
    EXECUTE format('ALTER TABLE bmd_setting ADD CONSTRAINT bmd_setting_name_is_known '
        'CHECK ((%s) OR name IN (''messages_per_minute''))', known);
    EXECUTE format('COMMENT ON COLUMN bmd_setting.name IS %L',
        col_description('bmd_setting'::regclass, 1) || '. messages_per_minute: texts of alerts of less than high '
        'priority that a person gets one by one; what is more is told in one text a minute later');
END
$$;
INSERT INTO bmd_setting (name, value) VALUES ('messages_per_minute', 10);
