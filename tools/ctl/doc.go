// Package ctl is the command line that makes and manages clusters: "holdfast ctl", and under the name that operators of other products
// of the kind know, "ostor-ctl".
//
// It parses, calls and prints. Changes of the configuration are the functions of package config, made secrets and directories those of
// package found. A change goes through a node that answers or, if none does and this host has the mount of the configuration log, straight
// into the log: both are the same compare-and-swap, so it never matters who else changes something at the time.
package ctl
