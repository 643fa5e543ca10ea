package store

import (
	"context"
	"testing"
)

func TestIncomingNotifier_sharesANotificationAndLosesNone(t *testing.T) {
	t.Parallel()
	var n incomingNotifier
	begun, goOn := make(chan bool), make(chan bool)
	send := func(context.Context) {
		begun <- true
		<-goOn
	}
	n.notify(send)
	<-begun
	n.notify(send) // these come too late for the one that has begun
	n.notify(send)
	goOn <- true
	<-begun
	n.mu.Lock()
	again := n.again
	n.mu.Unlock()
	if again {
		t.Error("two mails that were stored during a notification cause two more")
	}
	goOn <- true
	n.notify(send) // also right after the last
	<-begun
	goOn <- true
}
