SET lock_timeout = '5s';

-- What Temporal says of each task queue, as the relay that leads has read it. Unlogged, as it is written every ten seconds
-- and worth nothing a minute later.
CREATE UNLOGGED TABLE "task_queue_statistics" (
    "task_queue" TEXT NOT NULL,
    "statistics" JSONB NOT NULL,
    "slots_per_worker" DOUBLE PRECISION,
    "read_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "task_queue_statistics_pkey" PRIMARY KEY ("task_queue")
);

-- Who may do what one process at a time is to do, and until when. After a crash of Postgres everybody may again.
CREATE UNLOGGED TABLE "lease" (
    "name" TEXT NOT NULL,
    "holder" UUID NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "lease_pkey" PRIMARY KEY ("name")
);
