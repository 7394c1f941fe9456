//go:build !race

package objsrv_test

const raceEnabled = false
