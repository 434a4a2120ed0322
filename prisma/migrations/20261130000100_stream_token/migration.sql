-- Tokens that open one stream to one who cannot send a key. They live for a minute, and as long as their stream does.
SET lock_timeout = '5s';

CREATE TABLE "stream_token" (
    "id" UUID NOT NULL,
    "organization_id" TEXT NOT NULL,
    "key_id" UUID,
    "secret_hash" BYTEA NOT NULL,
    "scopes" TEXT[],
    "user_id" TEXT,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stream_token_pkey" PRIMARY KEY ("id")
);
SELECT keep_to_own_organization('stream_token');

-- CreateIndex
CREATE INDEX "stream_token_expires_at_idx" ON "stream_token"("expires_at");
