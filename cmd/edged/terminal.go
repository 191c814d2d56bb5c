package main

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// silently runs f while the terminal shows nothing of what is typed. A signal that ends the program gives the terminal back.
func silently(terminal *os.File, f func()) {
	fd := int(terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		f()
		return
	}
	restore := func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) } // nothing can be done about it
	silent := *before
	silent.Lflag &^= unix.ECHO
	silent.Lflag |= unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if _, came := <-signals; came {
			restore()
			os.Exit(exitFailed)
		}
	}()
	_ = unix.IoctlSetTermios(fd, unix.TCSETS, &silent) // at worst the password is seen
	f()
	signal.Stop(signals)
	close(signals)
	<-watched
	restore()
}
