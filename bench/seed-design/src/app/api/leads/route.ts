import { type NextRequest, NextResponse } from 'next/server';
import { LeadCreatedEvent } from '@/core/domain/events/lead-events';
import { getEventBus } from '@/infrastructure/events/event-bus';
import { prisma } from '@/lib/prisma';

export async function POST(req: NextRequest) {
  const body = await req.json();

  const lead = await prisma.lead.create({
    data: {
      organizationId: body.organizationId,
      name: body.name,
      email: body.email,
      phone: body.phone,
      company: body.company,
      status: body.status || 'NEW',
      source: body.source || 'WEBSITE',
    },
  });

  await getEventBus().emit(
    new LeadCreatedEvent(
      {
        leadId: lead.id,
        organizationId: lead.organizationId,
        name: lead.name,
        email: lead.email,
        status: lead.status,
        source: lead.source,
        assignedTo: body.assignedTo,
      },
      {
        userId: 'current-user-id',
        ipAddress: req.headers.get('x-forwarded-for') || 'unknown',
      },
    ),
  );
  console.log(`[API] Lead created: ${lead.name} (${lead.email})`);

  return NextResponse.json(lead, { status: 201 });
}
