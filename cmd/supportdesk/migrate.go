package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
)

type migrateCommand struct {
	Policy       string `type:"existingfile" help:"Policy document to publish if it differs from the newest version. Default: Holesalemart's, if no policy has been published."`
	SkipTemporal bool   `help:"Don't register Temporal's search attributes."`
}

// Run applies migrations, publishes the policy if there is none or one is given, and registers search attributes. It is
// idempotent and may run in several replicas at once.
func (m migrateCommand) Run(p *program) error {
	document, err := m.document(p)
	if err != nil {
		return err
	}
	n, err := p.connect("")
	if err != nil {
		return err
	}
	defer n.close()
	if err := store.Migrate(p.ctx, n.config.DatabaseURL); err != nil {
		return err
	}
	if err := publish(p, n.db, document, m.Policy); err != nil || m.SkipTemporal {
		return err
	}
	return n.onceTemporalResponds(p.ctx, func(ctx context.Context) error {
		return dispatch.RegisterAttributes(ctx, n.temporal, n.temporal.Namespace)
	})
}

// document returns the policy to publish, or nil to keep the one in force.
func (m migrateCommand) document(p *program) ([]byte, error) {
	if m.Policy == "" {
		return nil, nil
	}
	if _, err := readPolicy(p, m.Policy); err != nil {
		return nil, err
	}
	return os.ReadFile(m.Policy)
}

func publish(p *program, db *store.Store, document []byte, source string) error {
	reason := "published from " + source
	if document == nil {
		if _, _, _, err := db.PolicyInForce(p.ctx); !errors.Is(err, store.ErrNoPolicy) {
			return err
		}
		document, reason = policy.Holesalemart(), "the policy as shipped"
	}
	v, published, err := app.PublishPolicy(p.ctx, db, document, "supportdesk migrate", reason)
	if err != nil {
		return fmt.Errorf("publish the policy: %w", err)
	}
	if published {
		_, err = fmt.Fprintf(p.stdout, "policy version %d is in force\n", v)
	}
	return err
}
