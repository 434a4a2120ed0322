SET lock_timeout = '5s';

-- A transaction that notifies takes a lock of the whole server at its commit. Processes announce after it instead.
DROP TRIGGER notification_announce ON notification;
DROP FUNCTION announce_inbox();
