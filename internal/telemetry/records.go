package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/logging"
	"github.com/holesalemart/supportdesk/internal/store"
)

// Checks are the store's records of the reconciler's checks, measured.
type Checks struct {
	*store.Store
	t *Telemetry
}

// Checks returns the records of checks in s.
func (t *Telemetry) Checks(s *store.Store) Checks { return Checks{s, t} }

// RecordCheck records a check and counts it.
func (c Checks) RecordCheck(ctx context.Context, o desk.Overdue, found desk.CheckResult, tries int, next time.Duration) error {
	err := c.Store.RecordCheck(ctx, o, found, tries, next)
	if err == nil && c.t != nil {
		c.t.metrics.checks.WithLabelValues(string(found)).Inc()
	}
	return err
}

// Mails are the store's incoming emails, measured.
type Mails struct {
	*store.Store
	t *Telemetry
}

// Mails returns the incoming emails in s.
func (t *Telemetry) Mails(s *store.Store) Mails { return Mails{s, t} }

// AddIncoming stores an email. It begins the trace of what the email becomes, unless a request has brought it.
func (m Mails) AddIncoming(ctx context.Context, mail desk.IncomingMail) (int64, error) {
	ctx, end := m.t.begin(ctx, "receive email", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String(attrSource, string(mail.Source))))
	id, err := m.Store.AddIncoming(ctx, mail)
	if err == nil && m.t != nil {
		m.t.metrics.received.WithLabelValues(string(mail.Source)).Inc()
	}
	if err == nil && m.t.tracing() {
		trace.SpanFromContext(ctx).SetAttributes(attribute.Int64(attrMail, id))
	}
	end(err)
	return id, err
}

// SettleIncoming records what became of an email and counts it.
func (m Mails) SettleIncoming(ctx context.Context, id int64, attempt string, r desk.IncomingResult) error {
	err := m.Store.SettleIncoming(ctx, id, attempt, r)
	if err == nil && m.t != nil {
		m.t.metrics.processed.WithLabelValues(string(r.Status)).Inc()
	}
	return err
}

// DeferIncoming defers an email and counts it.
func (m Mails) DeferIncoming(ctx context.Context, id int64, attempt string, counts bool, pause time.Duration, why string) error {
	if m.t != nil {
		m.t.metrics.postponed.Inc()
	}
	return m.Store.DeferIncoming(ctx, id, attempt, counts, pause, why)
}

// ProcessMail returns a function that processes incoming emails in the traces that they began.
func (t *Telemetry) ProcessMail(process func(context.Context, desk.IncomingMail) (desk.IncomingResult, error)) func(context.Context, desk.IncomingMail) (desk.IncomingResult, error) {
	if !t.tracing() {
		return process
	}
	return func(ctx context.Context, m desk.IncomingMail) (desk.IncomingResult, error) {
		ctx, ok := withRemote(ctx, m.Trace)
		if !ok {
			return process(ctx, m)
		}
		ctx, end := t.begin(ctx, "process email", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(attribute.Int64(attrMail, m.ID)))
		logging.Add(ctx, LogAttrs(ctx)...) // also to the lines about the result
		r, err := process(ctx, m)
		attrs := []attribute.KeyValue{attribute.String(attrStatus, string(r.Status))}
		if r.Ticket != "" {
			attrs = append(attrs, attribute.String(attrTicket, string(r.Ticket)))
		}
		trace.SpanFromContext(ctx).SetAttributes(attrs...)
		end(err)
		return r, err
	}
}
