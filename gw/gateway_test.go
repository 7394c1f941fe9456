package gw

import (
	"testing"
	"time"

	"holdfast/gw/gwtest"
	"holdfast/gw/usage"
)

// TestGateways runs what many clients do at once against two gateways that share nothing but the servers of their volume.
func TestGateways(t *testing.T) {
	servers, keys := newServices(), testKeys(t)
	var endpoints []string
	for range 2 {
		endpoints = append(endpoints, serve(t, newTestGateway(t, func(o *Options) {
			o.Volume = openVolume(t, servers)
			o.Accounts = accountsWith(o.Volume, keys)
			o.Users, o.Credentials, o.Keys = o.Accounts, NewCredentials(o.Accounts), keys
		})))
	}
	gwtest.RunAcross(t, endpoints, testCredentials())
}

// TestGateway runs the S3 suite against a gateway on a volume whose servers are in this process.
func TestGateway(t *testing.T) {
	g := newTestGateway(t, func(o *Options) {
		r := usage.Open(usage.Options{Service: o.Service, Volume: o.Volume, Period: usage.MinPeriod, WriteEvery: 100 * time.Millisecond})
		t.Cleanup(r.Close)
		o.Usage = r
	})
	gwtest.Run(t, serve(t, g), testCredentials())
}
