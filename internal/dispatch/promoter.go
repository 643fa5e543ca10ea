package dispatch

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
)

// PromoterOptions tune a Promoter. A zero field takes its default.
type PromoterOptions struct {
	Manual bool          // only the first version of a deployment is promoted
	Every  time.Duration // between looks at a version that need not be promoted; default 10 s
	Grace  time.Duration // how long the current version must have no workers; default 10 s
}

const (
	promoteEvery = 10 * time.Second
	promoteGrace = 10 * time.Second
	warnEvery    = 10 * time.Minute
	promoteSoon  = 500 * time.Millisecond // between looks at a version that may be promoted in a moment
)

// Promoter makes the version of a worker current without an operator:
//
//   - if no version of the deployment ever was, so that the first one need not wait;
//   - if this version has never got a task, because somebody deployed it. A worker of an older version that is only
//     restarted changes nothing;
//   - if the current version has no workers any more, such as after an older version was deployed again.
//
// With Manual it does the first only, and not while another deployment has the tickets' task queue. The current version is that of
// the task queue, which may be another deployment's. It logs that again and again, because this worker then gets no tickets, and
// likewise the ramp of another deployment, which it leaves alone.
type Promoter struct {
	deployment *Deployment
	dispatcher *Dispatcher
	build      string
	identity   string
	options    PromoterOptions
	log        *slog.Logger

	activated bool      // this version has had tasks
	idleSince time.Time // since when the current version has had no workers; zero: it has some
	others    int       // number of other deployments that got tickets at the last look
	warned    time.Time // when they were last logged
}

// NewPromoter returns a promoter for the worker with an identity that runs a build.
func NewPromoter(d *Deployment, build, identity string, o PromoterOptions, log *slog.Logger) *Promoter {
	if o.Every <= 0 {
		o.Every = promoteEvery
	}
	if o.Grace <= 0 {
		o.Grace = promoteGrace
	}
	return &Promoter{deployment: d, dispatcher: New(d.temporal, Pages{}), build: build, identity: identity, options: o, log: log}
}

// Run looks after the version until ctx ends.
func (p *Promoter) Run(ctx context.Context) error {
	looks := loop.New(loop.Options{
		First: promoteSoon, Max: p.options.Every, Log: p.log,
		Failing: "this worker's version can't be looked after", Recovered: "this worker's version is looked after again",
	})
	return looks.Run(ctx, p.look)
}

// look promotes the version if there is a reason to. It returns when to look again.
func (p *Promoter) look(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	q, err := p.deployment.queue(ctx)
	if err != nil {
		return 0, err
	}
	p.warn(q)
	elsewhere := q.holder != (Holder{})
	polling := q.workers[q.current]
	if elsewhere {
		polling = q.holder.Workers
	}
	decided := p.activated || p.options.Manual && (elsewhere || q.current != Unversioned)
	if !elsewhere && q.current == p.build || decided && polling > 0 {
		p.idleSince = time.Time{}
		return p.options.Every, nil // without a request to the deployment, of which Temporal answers only a few a second
	}
	s, err := p.deployment.State(ctx)
	if err != nil {
		return 0, err
	}
	mine, known := s.version(p.build)
	if !known {
		return promoteSoon, nil // its first poll registers it
	}
	p.activated = !mine.Activated.IsZero()
	reason, force := p.reason(s)
	if reason == "" {
		if p.idleSince.IsZero() || p.options.Manual {
			return p.options.Every, nil
		}
		return promoteSoon, nil
	}
	for queue := range polledTypes {
		switch err := p.dispatcher.Polled(ctx, queue, p.identity); {
		case fault.KindOf(err) == fault.Unavailable: // not yet
			return promoteSoon, nil
		case err != nil:
			return 0, err
		}
	}
	if err := p.deployment.setCurrent(ctx, s, p.build, force); err != nil {
		return 0, err
	}
	p.log.Info("this worker's version is current now", "version", p.build, "before", BuildName(cmp.Or(s.Holder.Build, s.Current)), "reason", reason)
	return p.options.Every, nil
}

// warn logs now and then that another deployment has the task queue or a share of it, and at once if one more has.
func (p *Promoter) warn(q ticketQueue) {
	others := holders(q.holder, q.ramper)
	before := p.others
	p.others = len(others)
	if len(others) <= before && time.Since(p.warned) < warnEvery {
		return
	}
	p.warned = time.Now()
	for _, h := range others {
		message := "this worker gets no tickets: another deployment has their task queue"
		if h.Share > 0 {
			message = "this worker does not get all tickets: another deployment ramps a version"
		}
		p.log.Warn(message, "deployment", p.deployment.name, "other", h.Deployment, "version", BuildName(h.Build), "share", cmp.Or(h.Share, allTickets), "workers", h.Workers)
	}
}

// reason returns why the version is to be promoted, if it is, and whether it is even if its workers lack task queues that
// the current version has.
func (p *Promoter) reason(s DeploymentState) (reason string, force bool) {
	elsewhere := s.Holder != (Holder{})
	current, _ := s.version(s.Current)
	if elsewhere {
		current = DeploymentVersion{Workers: s.Holder.Workers}
	}
	mine := !elsewhere && s.Current == p.build
	if current.Workers > 0 || mine {
		p.idleSince = time.Time{}
	} else if p.idleSince.IsZero() {
		p.idleSince = time.Now()
	}
	switch {
	case mine:
		return "", false
	case s.Changed.IsZero() && !(elsewhere && p.options.Manual):
		return "it is the first", true
	case p.options.Manual:
		return "", false
	case !p.activated:
		return "it is new", current.Workers == 0
	case !p.idleSince.IsZero() && time.Since(p.idleSince) >= p.options.Grace:
		return "the current version has no workers", true
	}
	return "", false
}
