package namesrv_test

import (
	"testing"

	"holdfast"
	"holdfast/namesrv/nametest"
)

func TestEngine(t *testing.T) {
	nametest.Suite(t, func(t *testing.T) holdfast.NameService {
		opt := options(newDisk(t), true)
		opt.InitialSlots = nametest.Slots()
		return open(t, opt)
	})
}
