import { describeAuditTour } from "../../fixtures/host/audit-tour.ts";

describeAuditTour("durable");
