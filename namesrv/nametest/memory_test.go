package nametest_test

import (
	"testing"

	"holdfast"
	"holdfast/namesrv/nametest"
)

func TestMemory(t *testing.T) {
	nametest.Suite(t, func(*testing.T) holdfast.NameService { return nametest.New(nil, nametest.Slots()...) })
}
