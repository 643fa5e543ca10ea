package main

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"go.temporal.io/server/common/dynamicconfig"
	"google.golang.org/grpc"
)

// attributesSettle is how long after a change of search attributes the caches of all services have taken it over. They poll
// the namespaces every two seconds.
const attributesSettle = 10 * time.Second

// dynamicSettings are a dynamic configuration in which search attributes are usable as soon as they are registered. Temporal's setting
// for that makes every start, every upsert and every list read the namespace from the database, which was a tenth of the
// server's work for a command. So it is on only while attributes are being registered and until the caches know them.
type dynamicSettings struct {
	dynamicconfig.StaticClient
	changed atomic.Int64 // when search attributes were last registered or removed, in Unix nanoseconds
}

// The same slices each time, as Client asks for.
var (
	readsThrough = []dynamicconfig.ConstrainedValue{{Value: true}}
	readsCaches  = []dynamicconfig.ConstrainedValue{{Value: false}}
)

// GetValue implements dynamicconfig.Client.
func (s *dynamicSettings) GetValue(key dynamicconfig.Key) []dynamicconfig.ConstrainedValue {
	if key != dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key() {
		return s.StaticClient.GetValue(key)
	}
	if time.Since(time.Unix(0, s.changed.Load())) < attributesSettle {
		return readsThrough
	}
	return readsCaches
}

// noteChanges is an interceptor of the frontend.
func (s *dynamicSettings) noteChanges(ctx context.Context, request any, call *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if !changesAttributes(call.FullMethod) {
		return next(ctx, request)
	}
	s.changed.Store(time.Now().UnixNano()) // in time for those who use one before the response
	defer func() { s.changed.Store(time.Now().UnixNano()) }()
	return next(ctx, request)
}

func changesAttributes(method string) bool {
	return strings.HasPrefix(method, "/temporal.api.operatorservice.") &&
		(strings.HasSuffix(method, "/AddSearchAttributes") || strings.HasSuffix(method, "/RemoveSearchAttributes"))
}
