package e2e

import (
	"testing"

	"holdfast/gw/gwtest"
)

// TestGatewaySuite runs the gateway's own suite against the real binary.
func TestGatewaySuite(t *testing.T) {
	s := newServer(t, "--domain", "s3.test", "--usage-period", "1")
	t.Run("suite", func(t *testing.T) {
		gwtest.Run(t, s.endpoint(), gwtest.Credentials{AccessKey: s.access, SecretKey: s.secret, Domain: "s3.test", System: true, Usage: true})
	})
	s.stop(t)
	s.fsck(t)
}
