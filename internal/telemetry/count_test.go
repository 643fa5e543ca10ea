package telemetry_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/telemetry"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// measure returns a Telemetry with metrics and a function that scrapes them.
func measure(t *testing.T) (*telemetry.Telemetry, func() string) {
	t.Helper()
	measured, err := telemetry.New(t.Context(), telemetry.Options{Process: "test", Metrics: true, Getenv: func(string) string { return "" }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return measured, scraped(t, measured)
}

// Otherwise Prometheus sees no increase when the first is counted.
func TestCounters_ofKnownLabelsBeginAtZero(t *testing.T) {
	_, scrape := measure(t)
	has(t, scrape(), `supportdesk_deliveries_settled_total{queue="webhook",status="failed"} 0`, `supportdesk_deliveries_deferred_total{queue="account"} 0`,
		`supportdesk_breaches_total{clock="first_response"} 0`, `supportdesk_escalations_total{clock="resolution"} 0`,
		`supportdesk_commands_decided_total{outcome="refused",verb="merge-person"} 0`, `supportdesk_commands_accepted_total{verb="submit"} 0`,
		`supportdesk_reconciler_checks_total{found="missing"} 0`, `supportdesk_incoming_mails_processed_total{status="quarantined"} 0`,
		`supportdesk_incoming_mails_received_total{source="imap"} 0`, `supportdesk_command_outcome_wait_seconds_count{decided="false"} 0`,
		`supportdesk_relay_deliveries_total{result="ok",way="direct"} 0`)
}

// refused is a permanent rejection.
type refused struct{ error }

func (refused) Refusal() string { return "550 unknown" }

func TestDeliveries_areDeferredUnlessSentOrRefused(t *testing.T) {
	measured, scrape := measure(t)
	for _, err := range []error{nil, refused{errors.New("no such mailbox")}, fault.New(fault.Unavailable, "not reached"), errors.New("deferred")} {
		transports := measured.Transports(nil, map[outbox.Queue]outbox.Transport{
			outbox.TicketMails: func(context.Context, outbox.Key) (outbox.Delivery, error) {
				return outbox.Delivery{Send: func(context.Context) error { return err }}, nil
			},
		})
		d, _ := transports[outbox.TicketMails](t.Context(), outbox.Key{Queue: outbox.TicketMails})
		if got := d.Send(t.Context()); got != err { //nolint:errorlint // it must be the same
			t.Errorf("%v became %v", err, got)
		}
	}
	has(t, scrape(), `supportdesk_deliveries_deferred_total{queue="ticket"} 2`)
}

// deliverer fails with its error.
type deliverer struct{ err error }

func (d deliverer) Deliver(context.Context, desk.AcceptedCommand) error { return d.err }

func TestDeliverer_countsByWay(t *testing.T) {
	measured, scrape := measure(t)
	missing := deliverer{fault.New(fault.NotFound, "no workflow runs")}
	_ = measured.Deliverer(missing, telemetry.Direct).Deliver(t.Context(), desk.AcceptedCommand{})
	_ = measured.Deliverer(deliverer{}, telemetry.Relay).Deliver(t.Context(), desk.AcceptedCommand{})
	has(t, scrape(), `supportdesk_relay_deliveries_total{result="not-found",way="direct"} 1`, `supportdesk_relay_deliveries_total{result="ok",way="relay"} 1`,
		`supportdesk_relay_deliveries_total{result="ok",way="direct"} 0`)
}

// steps records a step's changes.
type steps struct{ app.StepStore }

type stepTx struct{ app.StepTx }

func (stepTx) Write(context.Context, app.StepChanges) (r app.WriteResult, err error) { return r, err }

func (steps) StepTx(_ context.Context, _ ticket.Number, fn func(app.LockedTicket, app.StepTx) error) error {
	return fn(app.LockedTicket{}, stepTx{})
}

func TestDueEventDelay_isOfWhatFallsDueOnly(t *testing.T) {
	measured, scrape := measure(t)
	at := time.Now()
	events := []ticket.Event{
		{Kind: ticket.EventNudged, At: at}, {Kind: ticket.EventClosed, At: at},
		{Kind: ticket.EventClosed, At: at, Command: 2}, {Kind: ticket.EventPaused, At: at}, {Kind: ticket.EventMailBounced, At: at},
	}
	err := measured.StepStore(steps{}).StepTx(t.Context(), "HM-1", func(_ app.LockedTicket, tx app.StepTx) error {
		_, err := tx.Write(t.Context(), app.StepChanges{Events: events})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	metrics := scrape()
	has(t, metrics, `supportdesk_due_event_delay_seconds_count{kind="nudged"} 1`, `supportdesk_due_event_delay_seconds_count{kind="closed"} 1`,
		`supportdesk_ticket_events_total{kind="paused"} 1`)
	for _, kind := range []ticket.EventKind{ticket.EventPaused, ticket.EventMailBounced} {
		if hasLine(metrics, `supportdesk_due_event_delay_seconds_count{kind="`+string(kind)+`"} 1`) {
			t.Errorf("%s is no due event", kind)
		}
	}
}
