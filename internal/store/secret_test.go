package store_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/internal/store"
)

func TestSecret_isOneForAllReplicasThatAskAtOnce(t *testing.T) {
	d := open(t)
	const replicas = 6
	got := make([][]byte, replicas)
	var group sync.WaitGroup
	for i := range replicas {
		replica, err := store.Open(t.Context(), d.dsn, store.Options{MaxConns: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer replica.Close()
		group.Go(func() {
			var err error
			if got[i], err = replica.Secret(t.Context(), "links"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, secret := range got {
		if len(secret) != 32 || !bytes.Equal(secret, got[0]) {
			t.Errorf("%x, and another replica has %x", secret, got[0])
		}
	}
	if other, err := d.Secret(t.Context(), "another"); err != nil || bytes.Equal(other, got[0]) {
		t.Errorf("another name has %x, %v", other, err)
	}
}
