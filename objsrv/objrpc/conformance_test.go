package objrpc

import (
	"testing"
	"time"

	"holdfast"
	"holdfast/objsrv/objtest"
)

// TestConformance runs the contract's suite against a client whose server has the in-memory implementation behind it.
func TestConformance(t *testing.T) {
	for name, connect := range wires {
		t.Run(name, func(t *testing.T) {
			objtest.Suite(t, func(t *testing.T) holdfast.ObjectService {
				c, _ := connect(t, objtest.NewMemory(testID, time.Now))
				return c
			})
		})
	}
}
