//! Data sets known by name: their pictures' shape and their classes.

use crate::fashion_mnist;

/// A data set that has a name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownSet {
    /// On the command line, and the folder's name in a cache: `emnist-letters`.
    pub name: &'static str,
    /// In prose.
    pub title: &'static str,
    /// Channels, rows and columns of its pictures.
    pub shape: [usize; 3],
    /// The names of its classes, separated by commas.
    class_names: &'static str,
    /// The files that it is made of, for people.
    pub files: &'static str,
    /// Where its authors offer them.
    pub home: &'static str,
}

const DIGITS: &str = "0,1,2,3,4,5,6,7,8,9";
const GRAY: [usize; 3] = [1, 28, 28];
const MNIST_FILES: &str =
    "{train,t10k}-images-idx3-ubyte and {train,t10k}-labels-idx1-ubyte (packed as .gz or not)";
const EMNIST_FILES: &str = "its -train- and -test- files of images-idx3-ubyte and labels-idx1-ubyte (packed as .gz \
                            or not) and, if you like, its -mapping.txt";
const EMNIST_HOME: &str = "https://www.nist.gov/itl/products-and-services/emnist-dataset";

/// All of them. Only Fashion-MNIST is downloaded.
pub const KNOWN_SETS: [KnownSet; 10] = [
    KnownSet {
        name: fashion_mnist::NAME,
        title: fashion_mnist::TITLE,
        shape: fashion_mnist::SHAPE,
        class_names: "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot",
        files: MNIST_FILES,
        home: "https://github.com/zalandoresearch/fashion-mnist",
    },
    // LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document recognition" (1998).
    KnownSet {
        name: "mnist",
        title: "MNIST",
        shape: GRAY,
        class_names: DIGITS,
        files: MNIST_FILES,
        home: "http://yann.lecun.com/exdb/mnist/",
    },
    // Clanuwat et al., "Deep Learning for Classical Japanese Literature", arXiv:1812.01718 (2018).
    KnownSet {
        name: "kmnist",
        title: "KMNIST",
        shape: GRAY,
        class_names: "o お,ki き,su す,tsu つ,na な,ha は,ma ま,ya や,re れ,wo を",
        files: MNIST_FILES,
        home: "http://codh.rois.ac.jp/kmnist/",
    },
    // Cohen, Afshar, Tapson & van Schaik, "EMNIST: an extension of MNIST to handwritten letters",
    // arXiv:1702.05373 (2017). Where upper and lower case look alike they are one class.
    emnist(
        "emnist-balanced",
        "EMNIST Balanced",
        "0,1,2,3,4,5,6,7,8,9,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,a,b,d,e,f,g,h,n,q,r,t",
    ),
    emnist(
        "emnist-bymerge",
        "EMNIST ByMerge",
        "0,1,2,3,4,5,6,7,8,9,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,a,b,d,e,f,g,h,n,q,r,t",
    ),
    emnist(
        "emnist-byclass",
        "EMNIST ByClass",
        "0,1,2,3,4,5,6,7,8,9,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,\
         a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z",
    ),
    emnist("emnist-letters", "EMNIST Letters", "A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z"),
    emnist("emnist-digits", "EMNIST Digits", DIGITS),
    emnist("emnist-mnist", "EMNIST MNIST", DIGITS),
    // Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009).
    KnownSet {
        name: "cifar-10",
        title: "CIFAR-10",
        shape: [3, 32, 32],
        class_names: "airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck",
        files: "data_batch_1.bin to data_batch_5.bin and test_batch.bin (the binary version, unpacked)",
        home: "https://www.cs.toronto.edu/~kriz/cifar.html",
    },
];

const fn emnist(name: &'static str, title: &'static str, class_names: &'static str) -> KnownSet {
    KnownSet { name, title, shape: GRAY, class_names, files: EMNIST_FILES, home: EMNIST_HOME }
}

impl KnownSet {
    /// The names of its classes, in the order of their labels.
    pub fn classes(&self) -> Vec<String> {
        self.class_names.split(',').map(str::to_owned).collect()
    }

    /// Whether it can be downloaded.
    pub fn is_fetched(&self) -> bool {
        self.name == fashion_mnist::NAME
    }

    /// Whether its pictures are stored column by column.
    pub(crate) fn is_transposed(&self) -> bool {
        self.name.starts_with("emnist")
    }
}

/// The data set of that name.
pub fn known_set(name: &str) -> Option<&'static KnownSet> {
    KNOWN_SETS.iter().find(|set| set.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_classes_are_those_of_the_papers() {
        let n_classes = KNOWN_SETS.map(|set| set.classes().len());
        assert_eq!(n_classes, [10, 10, 10, 47, 47, 62, 26, 10, 10, 10]);
        assert_eq!(KNOWN_SETS[0].classes(), fashion_mnist::CLASSES);
    }

    #[test]
    fn classes_of_a_set_differ() {
        for set in KNOWN_SETS {
            let mut classes = set.classes();
            classes.sort();
            classes.dedup();
            assert_eq!(classes.len(), set.classes().len(), "{}", set.name);
        }
        assert_eq!(known_set("kmnist").unwrap().title, "KMNIST");
        assert_eq!(known_set("imagenet"), None);
    }
}
