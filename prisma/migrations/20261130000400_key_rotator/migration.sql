-- The key whose holder was given the token, where that one came in the place of another: with its maker alone, who has
-- rotated a key with a leaked one would keep it.
SET lock_timeout = '5s';
ALTER TABLE "api_key" ADD COLUMN "rotated_by_key" UUID;
