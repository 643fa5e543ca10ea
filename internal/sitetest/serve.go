package sitetest

import (
	"net/http/httptest"
	"testing/fstest"
	"time"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/app"
)

// Serve serves the website with the entire API until the test ends. The store and authentication of config are
// replaced. GET /let-in/:handle signs a person in and redirects to leadsTo, or responds with 204 if it is empty.
func (o *Fixture) Serve(config page.Config, leadsTo string, areas ...page.Area) *httptest.Server {
	o.t.Helper()
	config.Sessions, config.People, config.Policies, config.Board = o.Sessions(), o.Store, o.Desk, app.NewNoticeBoard(o.Store)
	config.Forms = o.Store
	site, err := page.New(config)
	if err != nil {
		o.t.Fatal(err)
	}
	handler, err := api.New(api.Config{
		Desk: o.Desk, People: o.Store, Board: app.NewNoticeBoard(o.Store), Site: site, Log: config.Log, Areas: append(areas, o.signInArea(leadsTo)),
	})
	if err != nil {
		o.t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	o.t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server
}

func (o *Fixture) signInArea(leadsTo string) page.Area {
	return page.Area{Name: "sign-in-of-tests", Templates: fstest.MapFS{}, Routes: []page.Route{
		page.Get("/let-in/:handle", page.Anyone, func(v *page.Visit) error {
			p := o.People[v.Param("handle")]
			epoch, err := o.SessionEpoch(v.Context(), p.ID)
			if err == nil {
				err = v.Session.SignIn(p, epoch, time.Now())
			}
			if err != nil {
				return err
			}
			if leadsTo == "" {
				return v.Nothing()
			}
			return v.Redirect(leadsTo)
		}),
	}}
}
