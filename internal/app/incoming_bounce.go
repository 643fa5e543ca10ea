package app

import (
	"cmp"
	"context"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// bounce records with the mails that it is about that they did not arrive. A bounce that names no mail that was sent changes
// nothing, so that a forged one does no harm.
func (s *IncomingMails) bounce(ctx context.Context, m received) (desk.IncomingResult, error) {
	for _, id := range m.About {
		sent, err := s.bounces.SentMail(ctx, id)
		if err != nil {
			return desk.IncomingResult{}, err
		}
		failed, is := m.FailedFor(sent)
		if sent.Number == "" || !is {
			continue
		}
		r := recorded(string(m.Kind), failed.Reason)
		r.Ticket = sent.Number
		if m.Kind == desk.KindComplaint {
			return r, nil
		}
		return r, s.recordBounce(ctx, sent, failed)
	}
	return recorded(string(m.Kind), m.Reason), nil
}

// recordBounce settles a mail as bounced and takes the step that records it, also for a closed ticket, whose workflow has
// ended. The workflow is then signaled, because its ticket has changed.
func (s *IncomingMails) recordBounce(ctx context.Context, sent desk.SentMail, failed desk.BouncedRecipient) error {
	hint := "the address itself may work"
	if failed.Hard {
		hint = "the address does not work"
	}
	reason := cmp.Or(failed.Reason, "the mail server stated no reason") + " (" + hint + ")"
	if err := s.bounces.BounceMail(ctx, sent, reason); err != nil {
		return err
	}
	if _, err := s.steps.Step(ctx, ticket.StepRequest{Number: sent.Number, Bounced: sent.N}); err != nil {
		return err
	}
	return s.workflows.Reconcile(ctx, sent.Number)
}
