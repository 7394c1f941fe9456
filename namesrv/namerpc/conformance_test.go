package namerpc

import (
	"testing"

	"holdfast"
	"holdfast/namesrv/nametest"
)

// TestConformance runs the contract's suite against a client whose server has the in-memory implementation behind it.
func TestConformance(t *testing.T) {
	for name, connect := range wires {
		t.Run(name, func(t *testing.T) {
			nametest.Suite(t, func(t *testing.T) holdfast.NameService {
				c, _ := connect(t, nametest.New(nil, nametest.Slots()...))
				return c
			})
		})
	}
}
