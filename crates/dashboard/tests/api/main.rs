//! The router in this process, without a socket, over small runs that are made here.

mod checking;
mod control;
mod limits;
mod made_up_search;
mod paths;
mod pictures;
mod refusals;
mod runs_list;
mod searches;
mod streams;
mod studies;
mod support;
