package gw

import (
	"testing"

	"holdfast/gw/gwtest"
)

// TestGateways runs what many clients do at once against two gateways that share nothing but the servers of their volume.
func TestGateways(t *testing.T) {
	servers := newServices()
	var endpoints []string
	for range 2 {
		endpoints = append(endpoints, serve(t, newTestGateway(t, func(o *Options) { o.Volume = openVolume(t, servers) })))
	}
	gwtest.RunAcross(t, endpoints, testCredentials())
}

// TestGateway runs the S3 suite against a gateway on a volume whose servers are in this process.
func TestGateway(t *testing.T) {
	gwtest.Run(t, serve(t, newTestGateway(t, nil)), testCredentials())
}
