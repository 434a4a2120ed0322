-- CreateTable
CREATE TABLE "form_secret" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "secret" BYTEA NOT NULL,

    CONSTRAINT "form_secret_pkey" PRIMARY KEY ("id")
);
