-- CreateTable: unlogged, as it is written each second and worth nothing a minute later.
CREATE UNLOGGED TABLE "rate_limit" (
    "who" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "resets_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "rate_limit_pkey" PRIMARY KEY ("who")
);
