package gw

import (
	"testing"

	"holdfast/gw/gwtest"
)

// TestGateway runs the S3 suite against a gateway on a volume whose servers are in this process.
func TestGateway(t *testing.T) {
	gwtest.Run(t, serve(t, newTestGateway(t, nil)), testCredentials())
}
