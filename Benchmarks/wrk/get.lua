-- Gets the URL again and again.
dofile("common.lua")
